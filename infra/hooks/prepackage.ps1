# Runs before azd package: builds the package that azd uploads.
# Does the same as prepackage.sh.
& npm run package
exit $LASTEXITCODE
