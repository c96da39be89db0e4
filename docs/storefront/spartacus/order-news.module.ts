import { CommonModule } from '@angular/common';
import { NgModule } from '@angular/core';
import { OutletPosition, provideOutlet } from '@spartacus/storefront';

import { OrderNewsComponent } from './order-news.component';

/** Import it in the app's module, or in its feature module of orders. */
@NgModule({
  imports: [CommonModule],
  declarations: [OrderNewsComponent],
  exports: [OrderNewsComponent],
  providers: [
    provideOutlet({
      id: 'OrderConfirmationThankMessageComponent',
      position: OutletPosition.AFTER,
      component: OrderNewsComponent,
    }),
  ],
})
export class OrderNewsModule {}
