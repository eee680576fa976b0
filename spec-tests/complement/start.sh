#!/bin/sh
# The command of the image that Complement runs: Hearth as $SERVER_NAME, with a certificate of Complement's authority and
# the application services that Complement has put there. It may be run again in the same container.
set -eu

# A server name may have a port, a certificate's name has none.
host=${SERVER_NAME%%:*}
tls=/tmp/tls
mkdir -p "$tls"
printf 'subjectAltName=DNS:%s\n' "$host" >"$tls/names"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$host" \
  -keyout "$tls/key.pem" -out "$tls/request.pem"
openssl x509 -req -days 30 -in "$tls/request.pem" -extfile "$tls/names" -set_serial "0x$(openssl rand -hex 8)" \
  -CA /complement/ca/ca.crt -CAkey /complement/ca/ca.key -out "$tls/cert.pem"

services=""
for file in /complement/appservice/*.yaml; do
  [ ! -e "$file" ] || services="$services${services:+,}\"$file\""
done

cd /app
export HEARTH_SERVER_NAME="$SERVER_NAME"
export HEARTH_APPLICATION_SERVICES="[$services]"
# The Node.js among the packages: the image has no other.
exec node_modules/node-linux-*/bin/node scripts/node.mjs src/main.ts start --config spec-tests/complement/hearth.yaml
