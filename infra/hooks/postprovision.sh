#!/bin/sh
# Runs after azd provision: stores the key of the patient registry in the vault.
# Does the same as postprovision.ps1; the steps are in steps/postprovision.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/postprovision.mjs"
