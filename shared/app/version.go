package app

import "runtime/debug"

// release is set by the linker (make build): the commit, which the toolchain's own stamp would tell together with
// whether the tree was clean, and so make each build another.
var release string

// version is the commit that the binary was built from, as far as it knows.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" {
		return v
	}
	return "devel"
}
