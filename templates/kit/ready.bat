rem Windows is told the language, in case another program took over the files that end in .js. Wine does not know that option.
set "ENGINE=//e:jscript"
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" ready >nul 2>&1
if errorlevel 64 goto ready
set "ENGINE="
"%CSCRIPT%" //nologo "%KIT%" ready >nul 2>&1
if errorlevel 64 goto ready
echo  Windows Script Host does not run on this PC. An administrator or a virus scanner switched it off.
echo  See "By hand" in READ ME.txt.
echo.
set "CODE=1"
goto finish
:ready
