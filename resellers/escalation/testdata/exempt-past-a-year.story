# The attestation grows old under the exemption: it is out of date on the day on which that ends, and not before.

day 0    enrolled
day 10   attests initial
day 300  exempt until day 500

expect day 10   good
expect day 299  next warned on day 375
expect day 300  next warned on day 500
expect day 400  still good

expect day 500  opens cip.stale
expect day 500  warned
expect day 500  limit day 530
day 510  attests annual
expect day 510  cures cip.stale
expect day 510  good

until day 600
