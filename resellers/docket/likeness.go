package docket

import (
	"context"

	"gorm.io/gorm"
)

// Adopt screens by the likeness of names of another policy from here on. If it is another one, everybody on file is screened again.
func (s *Screener) Adopt(likeness int) { s.likeness.Store(int64(likeness)) }

// moveLikeness lets everybody be screened again if names are held to be alike from another likeness on than they were screened by. By
// which they were stands beside how far screening has come, so a process that is killed, or was started with another policy, sees it too.
func (s *Screener) moveLikeness(ctx context.Context, at screeningRow) (bool, error) {
	now := s.likeness.Load()
	if at.Likeness == now {
		return false, nil
	}
	return true, s.write(ctx, at, map[string]any{"likeness": now, "walk": walkOver, "at_key": beforeAll}, func(tx *gorm.DB) error {
		return tx.Model(&measureRow{}).Where("1 = 1").Updates(map[string]any{"screened": 0, "walking": 0}).Error
	})
}
