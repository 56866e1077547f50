@echo off
rem Motor City Online: undoes what setup.bat did, also for other servers than {{ host }}. Made by mcos {{ version }}.
setlocal enableextensions disabledelayedexpansion
title Motor City Online: undo the player setup
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "AGAIN="
if /i "%~1"=="/again" set "AGAIN=yes"
set "NAME=undo"
set "SCRIPT=kit.js"
set "KIT=%~dp0kit.js"
{% include "kit/start.bat" %}
echo.
echo  Motor City Online: undoing the player setup
echo  -------------------------------------------
echo.
if not exist "%KIT%" goto incomplete
{% include "kit/ready.bat" %}
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" undo
set "CODE=%ERRORLEVEL%"
if "%CODE%"=="2" goto no_rights
echo.
goto finish

:incomplete
echo  Files of the kit are missing. Unpack the whole zip into a folder of its own
echo  and start undo.bat there, not from inside the zip.
echo.
set "CODE=3"
goto finish
{% include "kit/rights.bat" %}{% include "kit/end.bat" %}
