package engine

import "fmt"

// tool gives the path of a foreign program: java, node or npm.
func (o Options) tool(name string) (string, error) {
	path, err := o.lookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: there is no %s", ErrUnavailable, name)
	}
	return path, nil
}
