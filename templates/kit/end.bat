
:no_rights
echo  This needs administrator rights.
echo  Windows Vista and later: right-click %~nx0, "Run as administrator".
echo  Windows XP: sign in to Windows as an administrator.
echo.
set "CODE=2"

:finish
if not defined QUIET pause
exit /b %CODE%
