// The vulnerability database that govulncheck reads offline. No package of it is built, only data/osv is read, so it stands
// apart: nothing it requires can move the version of a tool.
module github.com/cipgate/cipgate/tools

go 1.26.0

require golang.org/x/vulndb v0.0.0-20261105234957-e22db6528018
