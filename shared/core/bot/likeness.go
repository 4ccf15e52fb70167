package bot

import (
	"math"
	"unicode"

	"kefu/shared/core/account"
	"kefu/shared/core/word"
)

// likeness says how alike a text and the common questions of an account are, from 0
// (nothing in common) to 1 (the same). Make it with [newLikeness], ask it with best.
//
// A text is a bag of features: each character of a run of Chinese and each pair of
// neighbours in it; of other scripts each word and number. So Chinese needs no
// dictionary: 退款 is in 怎么退款 as well as in 退款怎么弄. Case, width and
// invisible marks don't count (see [word.Fold]); spaces and punctuation end a run.
//
//	likeness(a, b) = 2·W(a ∩ b) / (W(a) + W(b))
//	W(bag)         = the sum over its features f of kind(f) · ln(1 + N/n(f))
//
// That is the coefficient of Dice (L. R. Dice, Measures of the Amount of Ecologic
// Association Between Species, 1945) on bags whose features are weighted by inverse
// document frequency (K. Spärck Jones, A Statistical Interpretation of Term Specificity
// and Its Application in Retrieval, 1972): N is the number of questions and n(f) how
// many of them have f in a wording, at least 1. What many questions have says little
// about which one is meant. A question with all its wordings is one document, lest a
// word count less because its question is asked in many ways. For kind see there.
type likeness struct {
	features map[feature]int // numbers them
	weights  []float64       // by number
	unknown  float64         // what a feature weighs, before its kind, that no question has
	wordings []wording       // in the order of the questions
}

// wording is one wording of a question.
type wording struct {
	question int
	bag      []int // numbers of features
	weight   float64
}

// newLikeness weighs the words of the questions. That is one pass over all of them.
func newLikeness(questions []account.Question) *likeness {
	n := 0
	for _, q := range questions {
		n += len(q.Ask)
	}
	l := &likeness{features: make(map[feature]int, 4*n), wordings: make([]wording, 0, n)}
	var in, last []int // by number: how many questions have the feature, and the last that does
	var found []feature
	bags := make([]int, 0, 16*n) // one piece of memory for all of them
	for i, q := range questions {
		for _, ask := range q.Ask {
			found = features(found[:0], ask)
			start := len(bags)
			for _, f := range found {
				id, known := l.features[f]
				if !known {
					id = len(in)
					l.features[f] = id
					in, last, l.weights = append(in, 0), append(last, -1), append(l.weights, f.kind())
				}
				if last[id] != i {
					in[id], last[id] = in[id]+1, i
				}
				bags = append(bags, id)
			}
			l.wordings = append(l.wordings, wording{question: i, bag: bags[start:len(bags):len(bags)]})
		}
	}
	l.weigh(in, len(questions))
	return l
}

// weigh gives each feature and each wording its weight: in tells how many of the n
// questions have the feature.
func (l *likeness) weigh(in []int, n int) {
	rarity := make([]float64, n+1) // by how many questions have it
	for i := 1; i <= n; i++ {
		rarity[i] = math.Log1p(float64(n) / float64(i))
	}
	l.unknown = math.Log1p(float64(n))
	for id := range l.weights {
		l.weights[id] *= rarity[in[id]]
	}
	for i := range l.wordings {
		w := &l.wordings[i]
		for _, id := range w.bag {
			w.weight += l.weights[id]
		}
	}
}

// best finds the question that has the wording most like the text; of equals the one
// that stands first. It is -1 when none has anything in common with the text.
func (l *likeness) best(text string) (question int, score float64) {
	question = -1
	left := make([]int, len(l.weights)) // how often the text has the feature of that number
	var weight float64
	for _, f := range features(nil, text) {
		if id, known := l.features[f]; known {
			left[id]++
			weight += l.weights[id]
		} else {
			weight += f.kind() * l.unknown
		}
	}
	for _, w := range l.wordings {
		var common float64
		for _, id := range w.bag {
			if left[id]--; left[id] >= 0 {
				common += l.weights[id]
			}
		}
		for _, id := range w.bag {
			left[id]++
		}
		if common == 0 {
			continue
		}
		// Sums in another order may differ in their last bits.
		if s := min(1, 2*common/(weight+w.weight)); s > score {
			question, score = w.question, s
		}
	}
	return question, score
}

// feature is what a text is made of: a character; a pair of them, the first in the
// upper half; or the hash of a word, which is negative.
type feature int64

const aWord feature = math.MinInt64

// What a feature counts beside a pair of characters or a word, which count 1. Both
// numbers, and [account.DefaultLikeness], are chosen from testdata/questions*.txt.
const (
	// single is for a single character. It says less than a pair, but short texts have few pairs.
	single = 0.7
	// empty is for a character that only builds the sentence, and for a pair with one: 怎么 and 吗, but also the
	// 么退 of 怎么退款. Inverse document frequency alone learns that only from hundreds of questions.
	empty = 0.2
)

// kind is what the feature counts for what it is, whatever the questions are.
func (f feature) kind() float64 {
	switch first, second := f>>32, f&math.MaxUint32; {
	case f < 0:
		return 1
	case first == 0 && builds(second):
		return single * empty
	case first == 0:
		return single
	case builds(first) || builds(second):
		return empty
	}
	return 1
}

// builds reports whether the character builds sentences rather than says what they are
// about: pronouns, question words, particles, auxiliary verbs, and polite forms.
func builds(character feature) bool {
	switch character {
	case '我', '你', '您', '们', '这', '那', '个', '一',
		'请', '问', '怎', '么', '如', '何', '样', '什', '哪', '里', '几', '多', '久', '办',
		'的', '了', '吗', '呢', '吧', '啊', '呀', '嘛', '哦',
		'想', '要', '能', '可', '以', '是', '有', '没', '不', '在', '就', '还', '都':
		return true
	}
	return false
}

// features appends the features of the text to list. A text of nothing but signs, such
// as 👍, is one word.
func features(list []feature, text string) []feature {
	text = word.Fold(text)
	had := len(list)
	var before rune  // in a run: the character before
	var hash feature // in a word: of its letters so far
	for _, r := range text {
		if !spaceless(r) && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) {
			hash, before = fnv(hash, r), 0
			continue
		}
		if hash != 0 {
			list, hash = append(list, hash|aWord), 0
		}
		if !spaceless(r) {
			before = 0
			continue
		}
		list = append(list, feature(r))
		if before != 0 {
			list = append(list, feature(before)<<32|feature(r))
		}
		before = r
	}
	if len(list) == had && hash == 0 {
		for _, r := range text {
			hash = fnv(hash, r)
		}
	}
	if hash != 0 {
		list = append(list, hash|aWord)
	}
	return list
}

// fnv goes on with the hash of a word, or begins it at 0: FNV-1a with 64 bits, over
// characters instead of bytes. http://www.isthe.com/chongo/tech/comp/fnv/
func fnv(hash feature, r rune) feature {
	const offset, prime = 14695981039346656037 - 1<<64, 1099511628211
	if hash == 0 {
		hash = offset
	}
	return (hash ^ feature(r)) * prime
}

// spaceless reports whether the character is of a script that puts no spaces between
// words: Chinese, and what Japanese adds to it.
func spaceless(r rune) bool {
	const common, commonEnd = 0x4E00, 0x9FFF // CJK Unified Ideographs, without a look at the tables
	return r >= common && r <= commonEnd || r >= 0x3000 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}
