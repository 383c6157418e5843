#!/bin/sh
# Makes a certificate authority and a certificate for each host named, for mutual TLS between hosts.
#   usage: certificates.sh DIRECTORY NAME[,NAME...] ...
# Each argument after the directory is one host, with all names that others reach it by; its files are named after
# the first: NAME.pem, NAME.key. ca.pem is what everybody trusts; ca.key signs, and belongs on no host. What is there already is kept.
set -eu
umask 077
directory=${1:?usage: certificates.sh DIRECTORY NAME[,NAME...] ...}
shift
mkdir -p "$directory"
cd "$directory"
days=${DAYS:-825}

if [ ! -f ca.key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days "$days" \
        -subj "/CN=sage-rpc hosts" -keyout ca.key -out ca.pem \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
fi

for names in "$@"; do
    first=${names%%,*}
    [ -f "$first.pem" ] && continue
    alternatives=$(printf '%s' "$names" | tr ',' '\n' | sed -E 's/^([0-9.]+)$/IP:\1/; t; s/^/DNS:/' | paste -sd, -)
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=$first" \
        -keyout "$first.key" -out "$first.csr" 2>/dev/null
    # Every host serves and calls: its certificate is for both.
    printf 'subjectAltName=%s,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n' \
        "$alternatives" >"$first.ext"
    openssl x509 -req -in "$first.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" -sha256 \
        -extfile "$first.ext" -out "$first.pem" 2>/dev/null
    rm -f "$first.csr" "$first.ext"
    echo "made $directory/$first.pem for $names"
done
chmod 644 ./*.pem
