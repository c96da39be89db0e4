import { ChangeDetectionStrategy, Component, ElementRef, ViewChild, inject } from '@angular/core';
import { Order, OrderFacade } from '@spartacus/order/root';
import { BehaviorSubject, Observable, of } from 'rxjs';
import { catchError, take } from 'rxjs/operators';

import { OrderNewsOffer, OrderNewsService } from './order-news.service';

/** Shown below the thank-you message: asks for consent, then shows plain links. */
@Component({
  selector: 'app-order-news',
  standalone: false,
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section *ngIf="order$ | async as order" class="order-news" aria-labelledby="order-news-title">
      <h2 id="order-news-title">News of this order in your messenger</h2>
      <p #consent>
        I want to be told about this and my further orders in the messenger that I choose. I can end it at any time by
        writing STOP there.
      </p>
      <ng-container *ngIf="offer$ | async as offer; else question">
        <ul>
          <li *ngFor="let link of offer.links">
            <a *ngIf="link.url; else code" [href]="link.url" target="_blank" rel="noopener noreferrer">{{
              link.channel | titlecase
            }}</a>
            <ng-template #code>{{ link.channel | titlecase }}: {{ link.how }}</ng-template>
          </li>
          <li>
            <a [href]="offer.page" target="_blank" rel="noopener noreferrer">All messengers, with codes to scan</a>
          </li>
        </ul>
      </ng-container>
      <ng-template #question>
        <button type="button" class="btn btn-primary" [disabled]="asking$ | async" (click)="ask(order)">
          Yes, choose a messenger
        </button>
      </ng-template>
      <p role="status">{{ (failed$ | async) ? 'That did not work. Please try again.' : '' }}</p>
    </section>
  `,
})
export class OrderNewsComponent {
  protected static readonly consentVersion = '2026-1';

  protected orders = inject(OrderFacade);
  protected news = inject(OrderNewsService);

  @ViewChild('consent') protected consent?: ElementRef<HTMLElement>;

  readonly order$: Observable<Order | undefined> = this.orders.getOrderDetails();
  readonly offer$ = new BehaviorSubject<OrderNewsOffer | undefined>(undefined);
  readonly asking$ = new BehaviorSubject(false);
  readonly failed$ = new BehaviorSubject(false);

  ask(order: Order): void {
    const text = this.consent?.nativeElement.textContent?.replace(/\s+/g, ' ').trim() ?? '';
    this.asking$.next(true);
    this.failed$.next(false);
    this.news
      .offer(order, { text, version: OrderNewsComponent.consentVersion })
      .pipe(
        take(1),
        catchError(() => of(undefined))
      )
      .subscribe((offer) => {
        this.offer$.next(offer);
        this.failed$.next(!offer);
        this.asking$.next(false);
      });
  }
}
