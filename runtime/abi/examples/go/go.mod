module example.com/stage_tally

go 1.19
