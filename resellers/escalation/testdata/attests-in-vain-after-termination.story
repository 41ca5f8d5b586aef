# Termination is final here. What still comes in is evidence.

day 0    enrolled
day 90   attests initial

expect day 30   opens cip.missing
expect day 30   warned
expect day 44   orders no-new-accounts
expect day 44   restricted
expect day 51   orders reseller-account
expect day 51   closing
expect day 59   orders remaining-accounts
expect day 59   terminated
expect day 91   still terminated

until day 900
