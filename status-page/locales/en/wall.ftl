# The view for a team's screen.
wall = For a screen on the wall
wall-refresh = This view is brought up to date by itself.
wall-leave = Go to the ordinary page
wall-lost = Nothing has been heard from this site for a while: what stands here is as old as it says.
