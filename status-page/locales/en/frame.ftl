# Around every page.
description = { $name }: whether each API works, in which environment, since when, and what is done about it.
skip = Skip to main content
nav = Pages
nav-now = Status now
home = Home
other-language = Cymraeg
also-in-other = Mae’r dudalen hon ar gael yn Gymraeg
look-again = Look again
as-of = As of
last-checked = Last check
for-programs = For programs: our API
internal-view = Internal view: all environments, with tickets and timelines. Do not pass it on.
unrecorded = Nothing can be recorded since { $when }. What stands below is from before; new trouble would not show here.
set-aside = The database refuses { $count ->
        [one] { $count } outcome
       *[other] { $count } outcomes
    } for good, and takes all others: history has a gap. Look into this file, report what it says, and move it away.
stale = Nothing has been measured since { $when }. What stands below is old.
configuration-refused = The files of the configuration were changed and cannot be used: { $count ->
        [one] { $count } problem
       *[other] { $count } problems
    }, found { $when }. The configuration before them stays in force.
configuration-restart = Changed in the configuration, and in force only after a restart: { $text }.
configuration-left = No longer in production, though never retired: { $text }. Put it back, or say ‘lifecycle: retired’.
not-found = Page not found
not-found-more = There is no page at this address that you can see here. If you typed it, check it; if you followed a link, the link may be old.
not-found-way = Go to the status of all APIs
too-many = Too many requests at once
too-many-more = Wait a few seconds, and try again.
not-in-copy = This page cannot be shown just now
not-in-copy-more = Our records cannot be reached, and this page is not in our last copy of it all. Try again in a few minutes; the status of all APIs, as it last was, can be read.
access-title = Environments that are not public
access-link = Ask for access through the portal
status = Status
api = API

# Amounts of time.
seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
    }
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
    }
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
    }
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
    }
