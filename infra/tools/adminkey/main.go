// Adminkey makes an operator's key: it prints the key, which nothing keeps, and the hash that a deployment gets instead.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

func main() {
	// 26 letters of 5 bits each: as hard to guess as an AES key.
	key := rand.Text()
	fmt.Printf("key               %s\n", key)
	fmt.Printf("ADMIN_KEY_SHA256  %x\n", sha256.Sum256([]byte(key)))
}
