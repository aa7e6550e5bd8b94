module winbackup.lab/esxi

go 1.25.0
