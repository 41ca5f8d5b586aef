# Committed in the very second of the deadline and before anybody judged it: the cure wins.

day 0    enrolled
day 44   attests initial

expect day 30   opens cip.missing
expect day 30   warned
expect day 44   cures cip.missing
expect day 44   good

until day 300
