@echo off
rem Motor City Online: undoes what setup.bat of the server {{ host }} did. Made by mcos {{ version }}.
setlocal enableextensions
if not defined PROCESSOR_ARCHITEW6432 goto right_shell
if not exist "%SystemRoot%\Sysnative\cmd.exe" goto right_shell
"%SystemRoot%\Sysnative\cmd.exe" /c ""%~f0" %*"
goto :eof

:right_shell
title Motor City Online: undo the player setup
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "CODE=0"
set "KEEP=%SystemRoot%\mcos-kit"
set "KIT=HKLM\SOFTWARE\mcos-kit"
set "HOSTS=%SystemRoot%\System32\drivers\etc\hosts"

echo.
echo  Motor City Online: undoing the player setup
echo  -------------------------------------------
echo.
reg add "%KIT%" /v Undo /t REG_SZ /d "begun" /f >nul 2>&1
if errorlevel 1 goto no_rights

echo  1. The settings of the game
rem Without the copy made before, nothing is deleted: the keys are the game's own.
if not exist "%KEEP%\kept.txt" goto no_copy
call :restore 32 "HKLM\SOFTWARE"
if /i not "%PROCESSOR_ARCHITECTURE%"=="x86" call :restore 64 "HKLM\SOFTWARE\WOW6432Node"
goto key
:no_copy
echo     THERE IS NO COPY OF THE OLD SETTINGS in %KEEP%. The present ones stay.
set "CODE=1"

:key
echo  2. The old pub.key
set "GAME="
for /f "tokens=2,*" %%A in ('reg query "%KIT%" /v GameFolder 2^>nul ^| find "REG_SZ"') do set "GAME=%%B"
if not defined GAME goto certificate
if not exist "%KEEP%\pub.key" goto certificate
if exist "%GAME%\pub.key" attrib -r "%GAME%\pub.key"
copy /y "%KEEP%\pub.key" "%GAME%\pub.key" >nul
if not errorlevel 1 goto certificate
echo     COULD NOT WRITE IT TO %GAME%. Close the game, and start undo.bat again.
set "CODE=1"

:certificate
{% if let Some(thumbprint) = thumbprint -%}
echo  3. The server's certificate
set "TRUSTED=HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\{{ thumbprint }}"
if exist "%SystemRoot%\System32\certutil.exe" certutil -delstore Root {{ thumbprint }} >nul 2>&1
reg delete "%TRUSTED%" /f >nul 2>&1
reg query "%TRUSTED%" >nul 2>&1
if errorlevel 1 goto hosts
echo     IT IS STILL THERE. Remove it with certmgr.msc, "Trusted Root Certification Authorities".
set "CODE=1"
{% endif -%}
:hosts
find "# mcos player kit" "%HOSTS%" >nul 2>&1
if errorlevel 1 goto forget
echo  4. The line in the file hosts
attrib -r "%HOSTS%"
if not exist "%KEEP%" md "%KEEP%"
find /v "# mcos player kit" < "%HOSTS%" > "%KEEP%\hosts"
if exist "%KEEP%\hosts" copy /y "%KEEP%\hosts" "%HOSTS%" >nul
if errorlevel 1 set "CODE=1"

:forget
if not "%CODE%"=="0" goto finish
if exist "%KEEP%" rd /s /q "%KEEP%"
reg delete "%KIT%" /f >nul 2>&1

:finish
echo.
if "%CODE%"=="0" echo  Done. This PC is as it was before.
if not "%CODE%"=="0" echo  At least one step failed, see above.
echo.
if not defined QUIET pause
exit /b %CODE%

:no_rights
echo  This needs administrator rights.
echo  Windows Vista and later: right-click undo.bat, "Run as administrator".
echo  Windows XP: sign in to Windows as an administrator.
echo.
if not defined QUIET pause
exit /b 2

:restore
rem %1: 32 or 64, %2: the half of the registry.
call :put_back "%~2\EACom\AuthAuth" "%KEEP%\%1-auth.reg"
call :put_back "%~2\Electronic Arts\Motor City" "%KEEP%\%1-game.reg"
call :put_back "%~2\Electronic Arts\Network Play System" "%KEEP%\%1-nps.reg"
goto :eof

:put_back
rem %1: a key, %2: the file with its old content, which is missing if the key did not exist.
reg delete "%~1" /f >nul 2>&1
if exist "%~2" reg import "%~2" >nul 2>&1
if not errorlevel 1 goto :eof
if not exist "%~2" goto :eof
echo     COULD NOT PUT BACK "%~2"; double-click it.
set "CODE=1"
goto :eof
