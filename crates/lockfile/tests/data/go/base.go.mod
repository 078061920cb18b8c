module example.com/demo

go 1.19

require (
	example.com/lab/alpha v1.1.0
	example.com/lab/beta v0.3.0
)
