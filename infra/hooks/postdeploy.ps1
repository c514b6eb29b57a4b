# Once the app runs: subscribes it to the workspace's events.
# The same as postdeploy.sh: what is done is in steps/postdeploy.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/postdeploy.mjs"
exit $LASTEXITCODE
