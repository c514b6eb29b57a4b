# Runs before azd provision: checks the settings and looks for the workspace's system topic.
# Does the same as preprovision.sh; the steps are in steps/preprovision.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/preprovision.mjs"
exit $LASTEXITCODE
