rem Wine loses the percent signs of that folder's name.
if not exist "%KIT%" if exist "%SCRIPT%" set "KIT=%SCRIPT%"
rem A 32-bit program on a 64-bit Windows sees another half of the registry: start the right one.
set "CSCRIPT=%SystemRoot%\System32\cscript.exe"
if not defined PROCESSOR_ARCHITEW6432 goto right_half
if exist "%SystemRoot%\Sysnative\cscript.exe" set "CSCRIPT=%SystemRoot%\Sysnative\cscript.exe"
:right_half
