#!/bin/sh
# Get what browser journeys need: Chromium and Thai fonts, from Debian when we may, otherwise Playwright's Chromium.
# Says what is missing when it cannot; the tests then run all the same, and the journeys fail.

cd "$(dirname "$0")/.." || exit 1

has_browser() {
    .venv/bin/python -m tests.ground.chromium >/dev/null 2>&1
}

has_thai_fonts() {
    if command -v fc-list >/dev/null 2>&1; then
        [ -n "$(fc-list :lang=th family)" ]
    else
        [ -n "$(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/nowhere}/.fonts" \
            \( -iname '*thai*' -o -iname '*loma*' -o -iname '*garuda*' \) 2>/dev/null | head -n 1)" ]
    fi
}

if has_browser && has_thai_fonts; then
    exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium and Thai fonts for the browser tests …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || echo "apt-get update failed (see above)."
    apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-thai-tlwg >/dev/null ||
        echo "apt-get could not install chromium, fonts-noto-core and fonts-thai-tlwg (see above)."
fi

if ! has_browser; then
    echo "Downloading Playwright's Chromium for the browser tests …"
    .venv/bin/playwright install chromium || echo "Playwright could not download its Chromium (see above)."
fi

if ! has_browser; then
    echo "MISSING: a Chromium that starts. Install one (Debian: apt-get install chromium), or name one in CHROMIUM."
    echo "         The browser journeys will fail; everything else is tested."
fi
if ! has_thai_fonts; then
    echo "MISSING: Thai fonts (Debian: apt-get install fonts-thai-tlwg). Pages will be tested with boxes for letters."
fi
exit 0
