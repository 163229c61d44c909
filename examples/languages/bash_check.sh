#!/usr/bin/env bash
# A worker in bash 4 or newer that looks between two jobs: `read -t 0` tells whether the descriptor is readable, and takes nothing from it.
echo ready
until read -r -t 0 -u "$SIGSHIELD_EXIT_FD"; do
  sleep 0.01 # the next job
done
echo leaving
