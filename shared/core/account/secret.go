package account

import "log/slog"

// Secret is a text that must not leave the process by accident: it prints, logs
// and marshals as stars. [Secret.Reveal] is the one way to its value.
type Secret string

const stars = "***"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns stars, whatever the verb.
func (s Secret) String() string { return stars }

// GoString keeps %#v from showing the text.
func (s Secret) GoString() string { return stars }

// LogValue keeps the text out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(stars) }

// MarshalText keeps the text out of every encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }
