#!/bin/sh
# Runs after the deployment of the app: subscribes the app to the workspace's events.
# Does the same as postdeploy.ps1; the steps are in steps/postdeploy.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/postdeploy.mjs"
