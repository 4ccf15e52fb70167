package agent

// Line is a line of the table of routes, for tests.
type Line struct {
	Method, Path, Op string
	Open             bool // needs no key
	Admin            bool // needs an admin's
	Operator         bool // needs the operator's
}

// Table lists the table of routes.
func Table() []Line {
	var all []Line
	for _, r := range routes {
		all = append(all, Line{
			Method: r.method, Path: r.path, Op: r.op,
			Open: r.least == anyone, Admin: r.least == admins, Operator: r.least == operator,
		})
	}
	return all
}
