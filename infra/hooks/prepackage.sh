#!/bin/sh
# Before azd packs: makes what it packs.
# The same as prepackage.ps1.
exec npm run package
