@echo off
rem Motor City Online: sets this PC up for the server {{ host }}. Made by mcos {{ version }}.
rem Windows XP and later; needs administrator rights; undo.bat undoes everything.
rem "setup.bat /q" asks nothing.
rem What is typed goes to kit.js as it is. It must never be written out in this file, where it could be taken for a command.
setlocal enableextensions disabledelayedexpansion
title Motor City Online: player setup
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "AGAIN="
if /i "%~1"=="/again" set "AGAIN=yes"
set "NAME=setup"
set "MCOS_FOLDER="
set "MCOS_HOSTS="
set "SCRIPT=kit.js"
set "KIT=%~dp0kit.js"
{% include "kit/start.bat" %}
echo.
echo  Motor City Online: this PC plays on the server {{ host }}
echo  ------------------------------------------------------------
echo.
if not exist "%KIT%" goto incomplete
{% include "kit/ready.bat" %}
:find
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" find
if not errorlevel 2 goto hosts
if not errorlevel 4 goto no_rights
if defined QUIET goto hosts
set "MCOS_FOLDER="
set /p "MCOS_FOLDER=    Folder (leave empty to skip): "
if defined MCOS_FOLDER goto find

:hosts
{%- if let Some(address) = hosts_address %}
"%SystemRoot%\System32\ping.exe" -n 1 -w 3000 {{ host }} >nul 2>&1
if not errorlevel 1 goto setup
set "MCOS_HOSTS=n"
if defined QUIET goto setup
echo  This PC does not find {{ host }}.
{%- if !older_windows.is_empty() %}
echo  Windows XP to 8 do not find names that end in .local. Get the kit for such a PC from
echo  {{ older_windows.join(" or ") }} and use that one.
{%- endif %}
echo  The name can be written into the file hosts of this PC.
echo  That works as long as the address of the server is {{ address }}.
set /p "MCOS_HOSTS= Write it into the file hosts? (y/n) "
{%- endif %}

:setup
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" setup
set "CODE=%ERRORLEVEL%"
if "%CODE%"=="3" goto incomplete
ver | "%SystemRoot%\System32\find.exe" " 5." >nul
if not errorlevel 1 echo  Windows XP: see "What to tick on Windows XP" in READ ME.txt.
{%- for trouble in moved %}
echo  FOR THE PERSON WHO RUNS THE SERVER:
echo  {{ trouble }}
{%- endfor %}
echo  If signing in fails, {{ base }}diagnose shows the step that failed.
echo.
if defined QUIET goto finish
if "%CODE%"=="2" goto no_rights
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" test
echo.
goto finish

:incomplete
echo  Files of the kit are missing. Unpack the whole zip into a folder of its own
echo  and start setup.bat there, not from inside the zip.
echo.
set "CODE=3"
goto finish
{% include "kit/rights.bat" %}{% include "kit/end.bat" %}
