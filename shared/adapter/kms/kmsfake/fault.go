package kmsfake

import "slices"

// Fault is one misbehaviour on demand.
type Fault struct {
	Operation string // "GenerateDataKey" or "Decrypt"; empty: both
	Times     int    // how many calls it hits; 0: all until cancelled
	Error     string // answers with the error of this name, such as "ThrottlingException". Nothing is performed.
	Lose      bool   // instead: performs the call, then cuts the connection without an answer
}

type activeFault struct {
	Fault
	left int
}

// Inject makes the next matching calls go wrong, and returns what ends it. Faults are tried in the order in which they
// were injected; the first that matches hits.
func (f *Fake) Inject(fault Fault) (cancel func()) {
	one := &activeFault{Fault: fault, left: fault.Times}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, one)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drop(one)
	}
}

// count notes a call and returns the fault that hits it, nil if none does.
func (f *Fake) count(operation string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[operation]++
	for _, one := range f.faults {
		if one.Operation != "" && one.Operation != operation {
			continue
		}
		if one.Times > 0 {
			if one.left--; one.left == 0 {
				f.drop(one)
			}
		}
		return &one.Fault
	}
	return nil
}

func (f *Fake) drop(one *activeFault) {
	f.faults = slices.DeleteFunc(f.faults, func(a *activeFault) bool { return a == one })
}
