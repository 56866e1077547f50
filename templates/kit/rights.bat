
:no_rights
set "CODE=2"
if defined QUIET goto rights_in_words
if defined AGAIN goto rights_in_words
rem Windows Vista and later ask for the rights, and start this again in a window of its own.
"%CSCRIPT%" //nologo %ENGINE% "%KIT%" elevate-%NAME%
if errorlevel 1 goto rights_in_words
echo  Windows asks for administrator rights. Say yes: this goes on in a new window, and this one can be closed.
echo  If Windows does not ask:
echo.
:rights_in_words
echo  This needs administrator rights.
echo  Windows Vista and later: right-click %NAME%.bat, "Run as administrator".
echo  Windows XP: sign in to Windows as an administrator.
echo.
