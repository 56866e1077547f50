@echo off
rem Motor City Online: sets this PC up for the server {{ host }}. Made by mcos {{ version }}.
rem Windows XP and later; needs administrator rights; undo.bat undoes everything.
rem "setup.bat /q" asks nothing.
setlocal enableextensions

rem A 32-bit shell on a 64-bit Windows sees another half of the registry: start the right one.
if not defined PROCESSOR_ARCHITEW6432 goto right_shell
if not exist "%SystemRoot%\Sysnative\cmd.exe" goto right_shell
"%SystemRoot%\Sysnative\cmd.exe" /c ""%~f0" %*"
goto :eof

:right_shell
title Motor City Online: player setup
pushd "%~dp0"
set "PROBLEMS="
set "QUIET="
if /i "%~1"=="/q" set "QUIET=yes"
set "KEEP=%SystemRoot%\mcos-kit"
set "KIT=HKLM\SOFTWARE\mcos-kit"
set "REGFILE=mcos-64bit.reg"
set "HIVE=HKLM\SOFTWARE\WOW6432Node"
if /i "%PROCESSOR_ARCHITECTURE%"=="x86" set "REGFILE=mcos-32bit.reg"
if /i "%PROCESSOR_ARCHITECTURE%"=="x86" set "HIVE=HKLM\SOFTWARE"
set "GAMEKEY=%HIVE%\Electronic Arts\Motor City\1.0"

echo.
echo  Motor City Online: this PC plays on the server {{ host }}
echo  ------------------------------------------------------------
echo.
if not exist "%REGFILE%" goto incomplete
if not exist "pub.key" goto incomplete

rem Only an administrator may write there. This tries it, because every Windows version reports it in another way.
reg add "%KIT%" /v Server /t REG_SZ /d "{{ host }}" /f >nul 2>&1
if errorlevel 1 goto no_rights
if not exist "%KEEP%" md "%KEEP%"
if not exist "%KEEP%" goto no_rights

echo  1. Saving a copy of the present settings in %KEEP%
if exist "%KEEP%\kept.txt" goto kept
for %%V in (32 64) do if exist "%KEEP%\%%V-*.reg" del /q "%KEEP%\%%V-*.reg"
call :keep 32 "HKLM\SOFTWARE"
if not "%HIVE%"=="HKLM\SOFTWARE" call :keep 64 "HKLM\SOFTWARE\WOW6432Node"
>"%KEEP%\kept.txt" echo The settings as they were before the player kit.
:kept

echo  2. Looking for the game
set "GAME="
call :look "%GAMEKEY%" InstallDir
call :look "%GAMEKEY%" Path
call :look "HKLM\SOFTWARE\Electronic Arts\Motor City\1.0" InstallDir
call :look "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\mcity.exe" Path
call :look "%HIVE%\Microsoft\Windows\CurrentVersion\App Paths\mcity.exe" Path
call :look "%KIT%" GameFolder
if defined GAME goto found
if defined QUIET goto not_found
echo     It is not in the folder that its setup program noted.
echo     Type the folder with MCity.exe, for example C:\Games\Motor City Online
set /p GAME="    Folder (leave empty to skip): "
if not defined GAME goto not_found
set GAME=%GAME:"=%
if exist "%GAME%\MCity.exe" goto found
if exist "%GAME%\MCity_d.exe" goto found
set "GAME="
:not_found
echo     NOT FOUND. Copy the file pub.key into the game's folder yourself.
set "PROBLEMS=yes"
goto registry
:found
rem A backslash at the end would be taken together with the quotation mark behind it.
if "%GAME:~-1%"=="\" set "GAME=%GAME:~0,-1%"
echo     %GAME%
reg add "%KIT%" /v GameFolder /t REG_SZ /d "%GAME%" /f >nul 2>&1
if not exist "%GAME%\pub.key" goto copy_key
if exist "%KEEP%\pub.key" goto copy_key
copy /y "%GAME%\pub.key" "%KEEP%\pub.key" >nul
:copy_key
if exist "%GAME%\pub.key" attrib -r "%GAME%\pub.key"
copy /y "pub.key" "%GAME%\pub.key" >nul
fc /b "pub.key" "%GAME%\pub.key" >nul 2>&1
if not errorlevel 1 goto registry
echo     COULD NOT WRITE pub.key THERE. Close the game, and start setup.bat again.
set "PROBLEMS=yes"

:registry
echo  3. Writing the address of the server into the registry
reg import "%REGFILE%" >nul 2>&1
reg query "%GAMEKEY%" /v ShardUrl 2>nul | find "{{ base }}ShardList/" >nul
if not errorlevel 1 goto certificate
echo     COULD NOT WRITE THE REGISTRY. Double-click %REGFILE% in this folder.
set "PROBLEMS=yes"

:certificate
{% if let Some(thumbprint) = thumbprint -%}
echo  4. Installing the server's certificate
if not exist "mcos-ca.crt" goto incomplete
set "TRUSTED=HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates\{{ thumbprint }}"
if exist "%SystemRoot%\System32\certutil.exe" certutil -f -addstore Root "mcos-ca.crt" >nul 2>&1
reg query "%TRUSTED%" >nul 2>&1
if not errorlevel 1 goto certificate_done
rem Windows XP has no certutil. There, the machine's own store of trusted roots is this part of the registry.
reg import "mcos-ca.reg" >nul 2>&1
reg query "%TRUSTED%" >nul 2>&1
if not errorlevel 1 goto certificate_done
echo     COULD NOT INSTALL THE CERTIFICATE. See "By hand" in READ ME.txt.
set "PROBLEMS=yes"
:certificate_done
{% else -%}
echo  4. This server has no certificate, so none is installed
{% endif %}
{%- if let Some(address) = hosts_address %}
echo  5. Checking whether this PC finds {{ host }}
ping -n 1 -w 3000 {{ host }} >nul 2>&1
if not errorlevel 1 goto summary
set "HOSTS=%SystemRoot%\System32\drivers\etc\hosts"
set "ANSWER="
if defined QUIET set "ANSWER=n"
echo     This PC does not find that name. It can be written into the file hosts of this PC.
echo     That works as long as the address of the server is {{ address }}.
if not defined QUIET set /p ANSWER="    Write it into the file hosts? (y/n) "
if /i "%ANSWER%"=="y" goto write_host
set "PROBLEMS=yes"
goto summary
:write_host
rem An older line of the kit would be used instead of the new one, so it is removed.
if exist "%KEEP%\hosts" del /q "%KEEP%\hosts"
if exist "%HOSTS%" attrib -r "%HOSTS%"
if exist "%HOSTS%" find /v "{{ host }} # mcos player kit" < "%HOSTS%" > "%KEEP%\hosts"
if exist "%KEEP%\hosts" copy /y "%KEEP%\hosts" "%HOSTS%" >nul
>>"%HOSTS%" echo {{ address }} {{ host }} # mcos player kit
find "{{ address }} {{ host }} # mcos" "%HOSTS%" >nul 2>&1
if not errorlevel 1 goto summary
echo     COULD NOT WRITE THE FILE hosts. A virus scanner may protect it.
set "PROBLEMS=yes"
{% endif %}
:summary
echo.
if defined PROBLEMS echo  At least one step failed, see above. READ ME.txt explains what to do.
if not defined PROBLEMS echo  Done. Start the game and sign in with the account you made at {{ base }}
ver | find "5.1." >nul
if not errorlevel 1 echo  Windows XP: see "What to tick on Windows XP" in READ ME.txt.
echo  If signing in fails, {{ base }}diagnose shows the step that failed.
echo.
set "CODE=0"
if defined PROBLEMS set "CODE=1"
goto finish

:no_rights
echo  This needs administrator rights.
echo  Windows Vista and later: right-click setup.bat, "Run as administrator".
echo  Windows XP: sign in to Windows as an administrator.
echo.
set "CODE=2"
goto finish

:incomplete
echo  Files of the kit are missing. Unpack the whole zip into a folder of its own
echo  and start setup.bat there, not from inside the zip.
echo.
set "CODE=3"

:finish
popd
if not defined QUIET pause
exit /b %CODE%

:keep
rem %1: 32 or 64, %2: the half of the registry. What does not exist leaves no file.
reg export "%~2\EACom\AuthAuth" "%KEEP%\%1-auth.reg" >nul 2>&1
reg export "%~2\Electronic Arts\Motor City" "%KEEP%\%1-game.reg" >nul 2>&1
reg export "%~2\Electronic Arts\Network Play System" "%KEEP%\%1-nps.reg" >nul 2>&1
goto :eof

:look
rem %1: a key, %2: one of its values that may name the game's folder. Does nothing once it was found.
if defined GAME goto :eof
for /f "tokens=2,*" %%A in ('reg query "%~1" /v %2 2^>nul ^| find "REG_SZ"') do set "GAME=%%B"
if not defined GAME goto :eof
if exist "%GAME%\MCity.exe" goto :eof
if exist "%GAME%\MCity_d.exe" goto :eof
set "GAME="
goto :eof
