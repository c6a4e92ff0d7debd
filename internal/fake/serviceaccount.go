package fake

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// ServiceAccount is a service account of Google Cloud with a new key.
type ServiceAccount struct {
	// File is the JSON that Google Cloud creates for the key, Private the key in it.
	File, Private string
	Public        *rsa.PublicKey
}

// NewServiceAccount returns a service account.
func NewServiceAccount() (ServiceAccount, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("generate a service account's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("encode a service account's key: %w", err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "exporter@project.example", "private_key_id": "k1",
		"private_key": private, "token_uri": "http://elsewhere.test/token",
	})
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("encode a service account's file: %w", err)
	}
	return ServiceAccount{File: string(file), Private: private, Public: &key.PublicKey}, nil
}
