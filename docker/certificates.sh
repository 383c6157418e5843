#!/bin/sh
# Makes a certificate authority and a certificate for each host named, for mutual TLS between hosts.
#   usage: certificates.sh DIRECTORY NAME[,NAME...] ...
# Each argument after the directory is one host, with all names that others reach it by. Everything that a host needs, and
# nothing that others must not have, is in a directory named after the first: NAME/NAME.pem, NAME/NAME.key, and NAME/ca.pem, which everybody
# trusts. The key that signs, ca.key, is in $AUTHORITY (default: DIRECTORY/authority) and belongs on no host. What is there already is
# kept; where a host is new and ca.key is gone, there is a new authority, and all hosts get new certificates.
set -eu
umask 077
directory=${1:?usage: certificates.sh DIRECTORY NAME[,NAME...] ...}
authority=${AUTHORITY:-$directory/authority}
shift
days=${DAYS:-825}

missing=
for names in "$@"; do
    first=${names%%,*}
    [ -f "$directory/$first/$first.pem" ] || missing=1
done
[ -n "$missing" ] || exit 0

mkdir -p "$authority"
if [ ! -f "$authority/ca.key" ]; then
    for names in "$@"; do
        rm -f "$directory/${names%%,*}/${names%%,*}.pem"
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days "$days" \
        -subj "/CN=sage-rpc hosts" -keyout "$authority/ca.new" -out "$authority/ca.pem" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
    mv "$authority/ca.new" "$authority/ca.key"
fi

for names in "$@"; do
    first=${names%%,*}
    host=$directory/$first
    [ -f "$host/$first.pem" ] && continue
    mkdir -p "$host"
    alternatives=$(printf '%s' "$names" | tr ',' '\n' | sed -E 's/^([0-9.]+)$/IP:\1/; t; s/^/DNS:/' | paste -sd, -)
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=$first" \
        -keyout "$host/$first.key" -out "$authority/$first.csr" 2>/dev/null
    # Every host serves and calls: its certificate is for both.
    printf 'subjectAltName=%s,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n' \
        "$alternatives" >"$authority/$first.ext"
    openssl x509 -req -in "$authority/$first.csr" -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -CAcreateserial \
        -days "$days" -sha256 -extfile "$authority/$first.ext" -out "$authority/$first.new" 2>/dev/null
    rm -f "$authority/$first.csr" "$authority/$first.ext"
    cp "$authority/ca.pem" "$host/ca.pem"
    cp "$authority/$first.new" "$host/.$first.new"
    rm -f "$authority/$first.new"
    chmod 644 "$host/ca.pem" "$host/.$first.new"
    mv "$host/.$first.new" "$host/$first.pem" # last: whoever finds it finds the rest
    echo "made $host/$first.pem for $names"
done
