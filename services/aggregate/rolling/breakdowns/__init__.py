"""What everybody may see of profiles and channels: worked out when a triwulan is closed."""
