# Runs after azd provision: stores the key of the patient registry in the vault.
# Does the same as postprovision.sh; the steps are in steps/postprovision.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/postprovision.mjs"
exit $LASTEXITCODE
