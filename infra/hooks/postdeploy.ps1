# Runs after the deployment of the app: subscribes the app to the workspace's events.
# Does the same as postdeploy.sh; the steps are in steps/postdeploy.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/postdeploy.mjs"
exit $LASTEXITCODE
