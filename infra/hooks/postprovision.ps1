# Once all is made: the key that the registry of patients needs, into the vault.
# The same as postprovision.sh: what is done is in steps/postprovision.mjs.
if (-not (Get-Command node -ErrorAction SilentlyContinue)) {
  [Console]::Error.WriteLine('node is not on the PATH: install Node 20 or later, https://nodejs.org')
  exit 1
}
& node "$PSScriptRoot/steps/postprovision.mjs"
exit $LASTEXITCODE
