# Before anything is made in Azure: checks, and the system topic that the workspace may have already.
# The same as preprovision.sh: what is done is in steps/preprovision.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/preprovision.mjs"
exit $LASTEXITCODE
