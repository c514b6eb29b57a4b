# Before azd packs: makes what it packs.
# The same as prepackage.sh.
& npm run package
exit $LASTEXITCODE
