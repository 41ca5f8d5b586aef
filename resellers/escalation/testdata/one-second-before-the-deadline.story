# The last second of the cure time still counts.

day 0             enrolled
day 43 23:59:59   attests initial

expect day 30            opens cip.missing
expect day 30            warned
expect day 43 23:59:59   cures cip.missing
expect day 43 23:59:59   good
expect day 44            still good

until day 300
