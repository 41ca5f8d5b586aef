# A reseller that was warned attests, and says itself that an element is not in place. That cures what was missing, and opens what
# is incomplete in the same second: the case goes on by the clock that it had. Saying it again changes nothing; a whole program does.

day 0    enrolled
day 35   attests incomplete
day 43   attests incomplete
day 50   attests change

expect day 30  opens cip.missing
expect day 30  warned
expect day 35  opens cip.incomplete
expect day 35  cures cip.missing
expect day 36  limit day 60
expect day 36  next restricted on day 44
expect day 44  orders no-new-accounts
expect day 44  restricted
expect day 45  next closing on day 51
expect day 50  cures cip.incomplete
expect day 50  withdraws no-new-accounts
expect day 50  good
expect day 51  limit none

until day 300
