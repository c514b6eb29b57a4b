#!/bin/sh
# Runs before azd package: builds the package that azd uploads.
# Does the same as prepackage.ps1.
exec npm run package
