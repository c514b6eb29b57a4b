#!/bin/sh
# Before anything is made in Azure: checks, and the system topic that the workspace may have already.
# The same as preprovision.ps1: what is done is in steps/preprovision.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/preprovision.mjs"
