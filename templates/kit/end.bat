
:finish
if not defined QUIET pause
exit /b %CODE%
