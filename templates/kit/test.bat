@echo off
rem Motor City Online: tests whether this PC reaches the server {{ host }}. Made by mcos {{ version }}.
rem Windows XP and later. It changes nothing, and needs no administrator. "test.bat /q" does not wait for a key.
setlocal enableextensions disabledelayedexpansion
title Motor City Online: test
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "SCRIPT=kit.js"
set "KIT=%~dp0kit.js"
{% include "kit/start.bat" %}
echo.
if not exist "%KIT%" goto incomplete
{% include "kit/ready.bat" %}
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" test
set "CODE=%ERRORLEVEL%"
echo.
goto finish

:incomplete
echo  Files of the kit are missing. Unpack the whole zip into a folder of its own
echo  and start test.bat there, not from inside the zip.
echo.
set "CODE=3"
{% include "kit/end.bat" %}
