@echo off
rem Motor City Online: fetches the files that the server {{ host }} offers for the game. Made by mcos {{ version }}.
rem Windows XP and later; needs administrator rights; undo.bat puts everything back.
rem "update.bat /q" asks nothing.
setlocal enableextensions disabledelayedexpansion
title Motor City Online: update
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "AGAIN="
if /i "%~1"=="/again" set "AGAIN=yes"
set "NAME=update"
set "MCOS_FOLDER="
set "MCOS_UPDATE="
set "SCRIPT=update.js"
set "KIT=%~dp0update.js"
{% include "kit/start.bat" %}
echo.
echo  Motor City Online: files of the server {{ host }}
echo  ------------------------------------------------------------
echo.
if not exist "%KIT%" goto incomplete
{% include "kit/ready.bat" %}
:look
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" look
set "CODE=%ERRORLEVEL%"
if "%CODE%"=="5" goto ask
if "%CODE%"=="2" goto no_rights
if not "%CODE%"=="4" goto finish
if defined QUIET goto finish
set "MCOS_FOLDER="
set /p "MCOS_FOLDER=    Folder (leave empty to skip): "
if defined MCOS_FOLDER goto look
goto finish

:ask
if defined QUIET set "MCOS_UPDATE=y"
if not defined QUIET set /p "MCOS_UPDATE= Close the game first. Change these files? (y/n) "
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" update
set "CODE=%ERRORLEVEL%"
echo.
goto finish

:incomplete
echo  Files of the kit are missing. Unpack the whole zip into a folder of its own
echo  and start update.bat there, not from inside the zip.
echo.
set "CODE=3"
goto finish
{% include "kit/rights.bat" %}{% include "kit/end.bat" %}
