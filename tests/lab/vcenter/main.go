// The lab vCenter: govmomi's simulator for SOAP, sessions, inventory and properties, and our own model of raw device
// mappings, made from documentation. It is no real vCenter, and says so of itself.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

//go:embed story.yml
var storyWorld string

var (
	listenURL          = &url.URL{Scheme: "https", Host: "127.0.0.1"}
	username, password string
)

// ensureUser gives the world its administrator, whom the command line names.
func (lab *Lab) ensureUser() {
	if lab.world.Users == nil {
		lab.world.Users = map[string]*UserSpec{}
	}
	if lab.world.Users[username] == nil {
		lab.world.Users[username] = &UserSpec{Password: password}
	}
}

func main() {
	world := flag.String("world", "", "YAML file of the world; default: the story")
	listen := flag.String("listen", "127.0.0.1:0", "address of the SOAP face")
	control := flag.String("control", "127.0.0.1:0", "address of the control port")
	ca := flag.String("ca", "", "file that the CA certificate is written to")
	verbose := flag.Bool("verbose", false, "keep the simulator's own log")
	flag.StringVar(&username, "username", "administrator@vsphere.local", "user")
	flag.StringVar(&password, "password", "Lab-Pässw0rd!", "password")
	flag.Parse()
	if !*verbose {
		log.SetOutput(io.Discard)
	}
	if err := run(*world, *listen, *control, *ca); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(world, listen, control, caFile string) error {
	text := storyWorld
	if world != "" {
		data, err := os.ReadFile(world)
		if err != nil {
			return err
		}
		text = string(data)
	}
	lab, err := newLab(text)
	if err != nil {
		return err
	}
	server := &Server{}
	lab.ensureUser()
	server.lab.Store(lab)
	soap, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	ctl, err := net.Listen("tcp", control)
	if err != nil {
		return err
	}
	certificate, authority, err := certificates()
	if err != nil {
		return err
	}
	if caFile == "" {
		folder, err := os.MkdirTemp("", "lab-vcenter-")
		if err != nil {
			return err
		}
		caFile = filepath.Join(folder, "ca.pem")
	}
	if err := os.WriteFile(caFile, authority, 0o644); err != nil {
		return err
	}
	port := soap.Addr().(*net.TCPAddr).Port
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"sdk_url": fmt.Sprintf("https://127.0.0.1:%d/sdk", port), "host": "127.0.0.1", "port": port, "ca_path": caFile,
		"username": username, "password": password, "control_url": "http://" + ctl.Addr().String(),
	})
	go func() { log.Fatal(http.Serve(ctl, server.control())) }()
	face := &http.Server{Handler: server, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, ErrorLog: log.New(io.Discard, "", 0)}
	return face.ServeTLS(soap, "", "")
}

// certificates makes a CA of this lab's own, and a server certificate for the loopback names.
func certificates() (tls.Certificate, []byte, error) {
	none := tls.Certificate{}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return none, nil, err
	}
	caTemplate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "winbackup lab CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	caBytes, err := x509.CreateCertificate(rand.Reader, caTemplate, caTemplate, &caKey.PublicKey, caKey)
	if err != nil {
		return none, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return none, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "vcenter.lab"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, AuthorityKeyId: []byte{1},
	}
	issuer, err := x509.ParseCertificate(caBytes)
	if err != nil {
		return none, nil, err
	}
	bytes, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, caKey)
	if err != nil {
		return none, nil, err
	}
	certificate := tls.Certificate{Certificate: [][]byte{bytes, caBytes}, PrivateKey: key}
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caBytes}), nil
}
