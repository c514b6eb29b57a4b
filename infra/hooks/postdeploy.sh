#!/bin/sh
# Once the app runs: subscribes it to the workspace's events.
# The same as postdeploy.ps1: what is done is in steps/postdeploy.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/postdeploy.mjs"
