#!/bin/sh
# Once all is made: the key that the registry of patients needs, into the vault.
# The same as postprovision.ps1: what is done is in steps/postprovision.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/postprovision.mjs"
