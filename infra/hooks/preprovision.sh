#!/bin/sh
# Runs before azd provision: checks the settings and looks for the workspace's system topic.
# Does the same as preprovision.ps1; the steps are in steps/preprovision.mjs.
if ! command -v node >/dev/null 2>&1; then
  echo 'node is not on the PATH: install Node 20 or later, https://nodejs.org' >&2
  exit 1
fi
exec node "$(dirname "$0")/steps/preprovision.mjs"
